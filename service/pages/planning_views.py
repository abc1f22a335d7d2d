"""The views of the planning desk: where each is, what it is called, and the one question it answers."""

from dataclasses import dataclass

ROOT = "/planung"


@dataclass(frozen=True, slots=True)
class View:
    """A view: ``slug`` is its place below ``/planung``, ``question`` what a planner comes to it with."""

    slug: str
    title: str
    question: str

    @property
    def href(self) -> str:
        """Where it is."""
        return f"{ROOT}/{self.slug}"


VIEWS = (
    View("kennzahlen", "Kennzahlen", "Wie unterscheiden sich die Gebiete, und was hat sich verändert?"),
    View("versorgung", "Versorgung", "Was gibt es wo, gemessen an den Kindern und Jugendlichen, die dort wohnen?"),
    View("erreichbarkeit", "Erreichbarkeit", "Wer erreicht ein Angebot in wenigen Minuten, und wer nicht?"),
    View("bedarf", "Bestand und Bedarf", "Wo fehlt etwas, und wo zuerst?"),
    View(
        "unterbringung",
        "Auswärtige Unterbringung (§ 34 SGB VIII)",
        "Wie viele junge Menschen sind außerhalb des Bundeslands untergebracht, und wird es besser?",
    ),
    View("controlling", "Controlling", "Was kosten die Hilfen zur Erziehung, und wie entwickeln sie sich?"),
    View(
        "vergleichsgebiete",
        "Vergleichsgebiete",
        "Welche Gebiete sind einem Gebiet ähnlich, und was ist dort anders?",
    ),
    View("daten", "Daten", "Welche Daten sind geladen, wie aktuell sind sie, und was wurde zurückgewiesen?"),
)


def view_of(slug: str) -> View:
    """Return a view by its slug; raises KeyError for another."""
    return {view.slug: view for view in VIEWS}[slug]
