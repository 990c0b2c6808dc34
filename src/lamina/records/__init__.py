"""Objects ⇄ records: the plain dictionaries, in Keras's format, that say how to make an object again.

A record is ``{"module", "class_name", "config", "registered_name"}``, with ``build_config`` and ``compile_config``
where an object has them, and ``shared_object_id`` on what occurs twice. Source: Keras 3, serialization_lib.
"""

from lamina.records.reading import deserialize_keras_object as deserialize_keras_object
from lamina.records.reading import shared_objects as shared_objects
from lamina.records.reading import without_counterpart as without_counterpart
from lamina.records.writing import config_value as config_value
from lamina.records.writing import function_record as function_record
from lamina.records.writing import serialize_keras_object as serialize_keras_object
from lamina.records.writing import shared_records as shared_records
