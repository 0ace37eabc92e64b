from django.contrib.staticfiles.finders import FileSystemFinder as NamedFilesFinder  # noqa: F401
