FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
        libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /srv/sozialraumkarte srk
WORKDIR /srv/sozialraumkarte
COPY --chown=srk . .
USER srk
# The database is another container: no PostgreSQL is installed where SRK_DATABASE_URL is set.
ENV SRK_DATABASE_URL=unset
RUN scripts/setup.sh runtime
ENV SRK_DATABASE_URL= SRK_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD [".venv/bin/sozialraumkarte", "serve"]
