from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "clm.lib.access"
    label = "access"
