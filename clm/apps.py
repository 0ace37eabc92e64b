from django.apps import AppConfig


class ClmConfig(AppConfig):
    name = "clm"
