FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 STATIC_MANIFEST=1 VAR_DIR=/var/lib/clinic-journey
WORKDIR /srv/clinic-journey

COPY requirements.lock .
RUN pip install --only-binary :all: --require-hashes -r requirements.lock

COPY . .
# The program belongs to root and cannot be changed by the process that runs it; only the data can.
# static/ is collected there at each release (compose.yaml), for a volume outlives the image.
RUN useradd --system --home-dir "$VAR_DIR" --create-home clinic
USER clinic
VOLUME /var/lib/clinic-journey
EXPOSE 8000

# No path in the access log: that of a link which a patient or a partner holds is all it takes to open it.
CMD ["gunicorn", "clinic_journey.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--worker-class", "gthread", "--threads", "8", "--access-logfile", "-", "--access-logformat", "%(t)s %(m)s %(s)s %(b)s %(L)s"]
