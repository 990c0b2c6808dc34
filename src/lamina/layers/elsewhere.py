"""Keras's layers that are not here, and why: what they work on is not a table of numbers."""

_NAMES = {
    "works on images, video or sound": """
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling1D
        AdaptiveMaxPooling2D AdaptiveMaxPooling3D AugMix AutoContrast AveragePooling1D AveragePooling2D
        AveragePooling3D AvgPool1D AvgPool2D AvgPool3D CenterCrop ContrastLimitedAdaptiveHistogramEqualization Conv1D
        Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose Convolution1D Convolution1DTranspose
        Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D
        CutMix DepthwiseConv1D DepthwiseConv2D Equalization GlobalAveragePooling2D GlobalAveragePooling3D
        GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling2D GlobalMaxPooling3D
        MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D MelSpectrogram MixUp
        RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
        RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
        RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
        RandomTranslation RandomZoom Resizing STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D
        SeparableConvolution2D Solarization SpatialDropout2D SpatialDropout3D UpSampling1D UpSampling2D UpSampling3D
        ZeroPadding1D ZeroPadding2D ZeroPadding3D""",
    "works on sequences, step by step": """
        Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell
        StackedRNNCells""",
    "is attention, for sequences and text": """
        AdditiveAttention Attention GroupQueryAttention MultiHeadAttention ReversibleEmbedding TextVectorization""",
    "runs another library's code": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
}
ABSENT = {
    name: f"it {reason}, and Lamina is for dense networks on tables of numbers"
    for reason, names in _NAMES.items()
    for name in names.split()
}
