"""Keras's functions of ops that are not here, and why."""

_NAMES = {
    "it works on images, sound or sequences, and Lamina is for dense networks on tables of numbers": """
        adaptive_average_pool adaptive_max_pool average_pool conv conv_transpose ctc_decode ctc_loss depth_to_space
        depthwise_conv dot_product_attention extract_sequences fold image max_pool separable_conv space_to_depth
        unfold""",
    "it makes or takes complex numbers": "fft fft2 ifft2 irfft istft polar rfft stft view_as_complex view_as_real",
    "gradients are read from the equations, backwards": "jvp",
    "NumPy, which computes linear algebra here, has none": "lu_factor",
    "it is a small language of its own; reshape and transpose say the same": "rearrange",
}
ABSENT = {name: reason for reason, names in _NAMES.items() for name in names.split()}
