"""Stage 6, files: objects ⇄ records, models ⇄ ``.keras`` files; nothing executes when a file is loaded."""

from __future__ import annotations

from lamina.saving.files import (
    load_model as load_model,
)
from lamina.saving.files import (
    load_weights as load_weights,
)
from lamina.saving.files import (
    model_from_json as model_from_json,
)
from lamina.saving.files import (
    read_extra as read_extra,
)
from lamina.saving.files import (
    save_model as save_model,
)
from lamina.saving.files import (
    save_weights as save_weights,
)
from lamina.saving.files import (
    to_json as to_json,
)
from lamina.saving.records import (
    deserialize_keras_object as deserialize_keras_object,
)
from lamina.saving.records import (
    serialize_keras_object as serialize_keras_object,
)
from lamina.saving.registry import (
    custom_object_scope as custom_object_scope,
)
from lamina.saving.registry import (
    get_custom_objects as get_custom_objects,
)
from lamina.saving.registry import (
    get_registered_name as get_registered_name,
)
from lamina.saving.registry import (
    get_registered_object as get_registered_object,
)
from lamina.saving.registry import (
    register_keras_serializable as register_keras_serializable,
)

CustomObjectScope = custom_object_scope
