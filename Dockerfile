# One image for web, worker and beat; docker-compose.yml says which is which.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --create-home --home-dir /srv/lightsout lightsout \
    && install --directory --owner lightsout /var/lib/lightsout
WORKDIR /srv/lightsout

COPY requirements.txt .
RUN pip install --requirement requirements.txt
COPY --chown=lightsout . .

USER lightsout
# Static files are part of the image: a volume over LIGHTSOUT_VAR must not hide them, or keep those of an older image.
ENV LIGHTSOUT_VAR=/var/lib/lightsout STATIC_ROOT=/srv/lightsout/staticfiles HOST=0.0.0.0 PORT=8000
RUN SECRET_KEY=only-while-this-image-is-built python manage.py collectstatic --no-input

EXPOSE 8000
VOLUME /var/lib/lightsout
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8000/alive/', timeout=4)"]
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "16", "--workers-kill-timeout", "10", "portal.wsgi:application"]
