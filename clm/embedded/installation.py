"""The private servers of this installation, as its settings place them. Importing this starts nothing."""

from django.conf import settings

from clm.embedded.servers import Embedded

installation = Embedded(settings.DATA_DIR, fast=settings.EMBEDDED_FAST)
