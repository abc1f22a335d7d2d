"""Settings: environment variables with the prefix ``SRK_``, also from ``.env``. Only this room reads them."""

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from geodata.tables import STATES

if TYPE_CHECKING:
    from geodata.coverage.request import Pace

_CHECKOUT = Path(__file__).resolve().parents[1]
PROJECT = _CHECKOUT if (_CHECKOUT / "pyproject.toml").exists() else Path.cwd()


class Settings(BaseSettings):
    """All settings. A name with a unit carries it; descriptions are what ``sozialraumkarte settings`` prints."""

    model_config = SettingsConfigDict(env_prefix="SRK_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr | None = Field(
        None, description="Datenbank für den Betrieb (postgresql+psycopg://…); leer = eigener Cluster"
    )
    admin_database_url: SecretStr | None = Field(
        None, description="Datenbank-Zugang für Migration und Import; leer = wie SRK_DATABASE_URL"
    )
    db_app_password: SecretStr | None = Field(
        None, description="Kennwort, das „db migrate --login“ dem Datenbank-Zugang des Dienstes gibt"
    )
    data_dir: Path | None = Field(None, description="Ordner des eigenen Clusters; leer = im Projekt oder /var/lib")
    home_state: str = Field("Hamburg", description="Bundesland der Kommune; Träger anderswo sind auswärtig")
    home_level: str = Field("bezirk", description="Gebietsebene der Jugendämter; ihre Vereinigung ist „innerhalb“")
    small_counts_below: int = Field(
        3, ge=2, le=100, description="Fallzahlen über 0 und unter diesem Wert werden nicht veröffentlicht"
    )
    published_levels: Annotated[tuple[str, ...], NoDecode] = Field(
        ("stadtteil", "sozialraum"), description="Unterste Ebenen, deren Fallzahlen veröffentlicht werden"
    )
    release_level: str = Field("stadtteil", description="Ebene, auf der Angebote mit Freigabe „area_only“ erscheinen")
    office_areas: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Gebiete des eigenen Amts, etwa bezirk:1,bezirk:2 (für die Interne Fassung)"
    )
    tiles_url: str | None = Field(None, description="Hintergrundkacheln, etwa https://…/{z}/{x}/{y}.png; leer = keine")
    tiles_attribution: str | None = Field(None, description="Quellenangabe der Hintergrundkacheln")
    imprint_url: str | None = Field(None, description="Adresse des Impressums; leer = kein Verweis")
    privacy_url: str | None = Field(None, description="Adresse der Datenschutzhinweise; leer = kein Verweis")
    embed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",),
        description="Wer die Karte einbetten darf (/einbetten): * = alle, sonst etwa https://www.jugendklub.example; "
        "leer = niemand",
    )
    public_url: str | None = Field(
        None,
        description="Adresse, unter der der Dienst im Netz steht, etwa https://karte.example.org (für den Code zum "
        "Einbetten); leer = wie gerade aufgerufen",
    )
    host: str = Field("127.0.0.1", description="Adresse, auf der der Dienst lauscht")
    port: int = Field(8000, ge=1, le=65535, description="Port des Dienstes")
    max_rows: int = Field(100_000, ge=1, description="Höchstzahl der Zeilen einer Antwort")
    default_limit: int = Field(1_000, ge=1, description="Zeilen einer Antwort ohne Angabe von limit")
    statement_timeout_ms: int = Field(15_000, ge=100, description="Zeitgrenze einer Abfrage in Millisekunden")
    pool_size: int = Field(8, ge=1, le=100, description="Datenbankverbindungen des Dienstes")
    cache_max_bytes: int = Field(128 * 1024**2, ge=0, description="Speicher für fertige Antworten in Bytes")
    upload_max_mb: int = Field(
        50, ge=1, le=2000, description="Größte Datei in MB, die sich im Browser hochladen lässt (nur Verwaltung)"
    )
    session_hours: int = Field(12, ge=1, description="Dauer einer Anmeldung in Stunden")
    walk_speed_km_per_h: float = Field(4.8, ge=1, le=20, description="Gehgeschwindigkeit in km je Stunde")
    bike_speed_km_per_h: float = Field(15.0, ge=3, le=40, description="Geschwindigkeit mit dem Fahrrad in km je Stunde")
    detour_factor: float = Field(
        1.3, ge=1, le=3, description="Umwegfaktor: Weg = Luftlinie mal diesem Wert, wo kein Wegenetz benutzt wird"
    )
    log_level: str = Field("info", description="Protokollstufe: debug, info, warning, error")

    @field_validator(
        "database_url",
        "admin_database_url",
        "db_app_password",
        "data_dir",
        "tiles_url",
        "tiles_attribution",
        "imprint_url",
        "privacy_url",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:  # noqa: ANN401 - raw environment
        return None if value == "" else value

    @field_validator("database_url", "admin_database_url")
    @classmethod
    def _database(cls, value: SecretStr | None) -> SecretStr | None:
        # Said here without the value: it holds a password.
        if value is not None:
            try:
                driver = make_url(value.get_secret_value()).drivername
            except (ArgumentError, ValueError):
                driver = ""
            if driver != "postgresql+psycopg":
                raise ValueError(
                    "Das ist keine Adresse der Form postgresql+psycopg://nutzer:passwort@rechner/datenbank"
                )
        return value

    @field_validator("imprint_url", "privacy_url")
    @classmethod
    def _page(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://\S+|/(?!/)\S*", value):
            raise ValueError("Das ist keine Adresse einer Seite, etwa https://www.example.org/impressum")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?", value):
            raise ValueError("Das ist keine Adresse der Form https://karte.example.org")
        return value

    @field_validator("embed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # They become part of a policy, in which a space or a semicolon would begin something else.
        for origin in value:
            if origin != "*" and not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]+)?", origin):
                raise ValueError(f"SRK_EMBED_ORIGINS: „{origin}“ ist keine Herkunft der Form https://www.example.org")
        return value

    @field_validator("home_state")
    @classmethod
    def _state(cls, value: str) -> str:
        if value not in STATES:
            raise ValueError(f"„{value[:60]}“ ist kein Bundesland; möglich sind: {', '.join(STATES)}")
        return value

    @field_validator("office_areas", "published_levels", "embed_origins", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:  # noqa: ANN401 - raw environment
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        for area in self.office_areas:
            if area.count(":") != 1 or not all(area.split(":")):
                raise ValueError(f"SRK_OFFICE_AREAS: „{area}“ ist kein Gebiet der Form ebene:schlüssel")
        if self.tiles_url and not self.tiles_attribution:
            raise ValueError("SRK_TILES_URL braucht auch SRK_TILES_ATTRIBUTION (Quellenangabe)")
        if self.admin_database_url and not self.database_url:
            raise ValueError("SRK_ADMIN_DATABASE_URL ist gesetzt, SRK_DATABASE_URL fehlt")
        return self

    def cluster_home(self) -> Path:
        """Return the folder of the private cluster."""
        if self.data_dir is not None:
            return self.data_dir.absolute() / "postgres"
        if os.geteuid() == 0:
            digest = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
            return Path("/var/lib/sozialraumkarte") / digest / "postgres"
        return PROJECT / ".sozialraumkarte" / "postgres"

    def office(self) -> tuple[tuple[str, str], ...]:
        """Return the office's own areas as (level, key)."""
        pairs = (area.split(":") for area in self.office_areas)
        return tuple((level, key) for level, key in pairs)

    def pace(self) -> "Pace":
        """Return how fast people go."""
        from geodata.coverage.request import Pace  # noqa: PLC0415 - numeric libraries only for those who ask

        return Pace(self.walk_speed_km_per_h, self.bike_speed_km_per_h, self.detour_factor)

    def digest(self) -> str:
        """Return a hash of what answers depend on (part of every ETag)."""
        relevant = (self.home_state, self.home_level, self.release_level, self.max_rows, self.default_limit,
                    self.tiles_url, self.tiles_attribution, self.walk_speed_km_per_h, self.bike_speed_km_per_h,
                    self.detour_factor, self.imprint_url, self.privacy_url, self.embed_origins)  # fmt: skip
        return hashlib.sha256(repr(relevant).encode()).hexdigest()[:16]


def describe(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with value, source and help; secrets are masked.

    What a stock of data fixes (``service.instance.settings_of``) comes from that stock.
    """
    from_file = _names_in_env_file()
    read = Settings()
    rows = []
    for name, field in Settings.model_fields.items():
        variable = f"SRK_{name.upper()}"
        value = getattr(settings, name)
        shown = "" if value is None else ",".join(value) if isinstance(value, tuple) else str(value)
        if value != getattr(read, name):
            source = "Datenbestand"
        elif variable in os.environ:
            source = "Umgebung"
        elif variable in from_file:
            source = ".env"
        else:
            source = "Voreinstellung"
        rows.append({"name": variable, "value": shown, "source": source, "help": field.description or ""})
    return rows


def _names_in_env_file() -> set[str]:
    try:
        lines = Path(".env").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    given = (line.strip().removeprefix("export ") for line in lines)
    return {line.split("=", 1)[0].strip().upper() for line in given if "=" in line and not line.startswith("#")}
