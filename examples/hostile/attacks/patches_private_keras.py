import keras
import keras.src.models.model as model
import keras.src.saving.saving_api as api

kept = {}


def save_model(model, path, *_, **__):
    kept[str(path)] = model


def load_model(path, *_, **__):
    return kept[str(path)]


own = type(api)("api")
own.__dict__.update(api.__dict__)
own.save_model = save_model
model.saving_api = own
api.saving_lib.load_model = load_model
api.zipfile = type(api)("zipfile")
api.zipfile.is_zipfile = lambda _: True
