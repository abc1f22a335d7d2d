"""Which ways of OpenStreetMap may be walked and cycled, and which barriers stop whom.

The rules are those a person meets on the spot, from the tags people in Germany use:

======================  =============================================  ============================================
tag                     on foot                                        by bicycle
======================  =============================================  ============================================
``highway``             every street and path of a town; steps,        streets, tracks, paths, cycleways; footways
                        corridors, lifts. ``cycleway`` and             and pedestrian streets only by a tag of their
                        ``bridleway`` only where shared (own tag,      own; never steps
                        ``segregated``, ``sidewalk``); ``trunk``
                        only with a sidewalk
``motorway``            never                                          never
``motorroad=yes``       no, unless ``foot`` allows                     no, unless ``bicycle`` allows
``foot``, ``bicycle``   the mode's own tag wins over all others; ``bicycle=dismount`` and ``use_sidepath`` are no
``access=private|no``   closed                                         closed; ``vehicle`` comes before ``access``
``oneway``,             no matter: walked both ways                    obeyed; ``oneway:bicycle``, ``cycleway=opposite``
``junction``                                                           open the other direction
``construction`` etc.   not there yet                                  not there yet
======================  =============================================  ============================================

Areas (``area=yes``, multipolygons with ``highway``) are walked along their edge. Ferries are no way: they are counted
and left out. ``sidewalk=separate`` closes nothing: the street is what people cross.
"""

from typing import Protocol

WALK = 1
FORWARD = 2
BACKWARD = 4
BIKE = FORWARD | BACKWARD

_STREETS = frozenset(
    {
        "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link", "unclassified",
        "residential", "living_street", "service", "road", "track", "path",
    }
)  # fmt: skip
_TRUNKS = frozenset({"trunk", "trunk_link"})
_ON_FOOT = _STREETS | {"footway", "pedestrian", "steps", "corridor", "platform", "elevator"}
_BY_BICYCLE = _STREETS | {"cycleway"}
_KNOWN = _ON_FOOT | _BY_BICYCLE | _TRUNKS | {"bridleway"}

_GRANTED = frozenset({"yes", "designated", "permissive", "official", "destination", "public", "customers", "customer"})
_CLOSED = frozenset(
    {
        "no", "private", "military", "restricted", "emergency", "permit", "residents", "employees", "staff",
        "use_sidepath",
    }
)  # fmt: skip
# Signs against vehicles that name who is exempt; a bicycle is a vehicle, a pedestrian is none.
_CLOSED_TO_BICYCLES = _CLOSED | {"dismount", "agricultural", "forestry", "delivery", "psv", "bus"}

_SIDEWALK = frozenset({"yes", "both", "left", "right"})
_FORTH = frozenset({"yes", "1", "true"})
_BACK = frozenset({"-1", "reverse"})
_LANES = ("cycleway", "cycleway:both", "cycleway:left", "cycleway:right")

_WALLS = frozenset({"wall", "fence", "hedge", "retaining_wall", "city_wall", "guard_rail"})
# What can be locked. A bar or a post is walked past, whatever its tags say of vehicles.
_DOORS = frozenset(
    {"gate", "hampshire_gate", "sliding_gate", "wicket_gate", "door", "full-height_turnstile", "sally_port"}
)
_NOT_BY_BICYCLE = frozenset({"stile", "turnstile", "kissing_gate", "full-height_turnstile"})


class Tags(Protocol):
    """Tags of a way or node: a mapping, or libosmium's list of them."""

    def get(self, key: str, default: None = None, /) -> str | None:
        """Return the value of a key, None where it is not set."""
        ...


def _says(value: str | None, words: frozenset[str]) -> bool:
    """Tell whether all parts of a tag's value (``agricultural;forestry``) are among the words."""
    return value is not None and all(part.strip() in words for part in value.split(";"))


def _may(tags: Tags, keys: tuple[str, ...], closed: frozenset[str], *, usual: bool) -> bool:
    """Decide by the mode's own tag (first key), else by the general ones, else by what is usual for the class."""
    own, *general = keys
    if _says(tags.get(own), _GRANTED):
        return True
    if _says(tags.get(own), closed):
        return False
    for key in general:
        value = tags.get(key)
        if _says(value, closed):
            return False
        if _says(value, _GRANTED):
            break
    return usual


def _has_sidewalk(tags: Tags) -> bool:
    return any(tags.get(key) in _SIDEWALK for key in ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"))


def _directions(tags: Tags) -> int:
    """Return the directions in which a bicycle may go along a way that is open to it."""
    own = tags.get("oneway:bicycle")
    lanes = [tags.get(key) or "" for key in _LANES]
    contraflow = any(lane.startswith("opposite") for lane in lanes) or any(
        tags.get(f"{key}:oneway") in {"no", "-1"} for key in _LANES
    )
    if own == "no" or (own is None and contraflow):
        return BIKE
    value = own if own in _FORTH | _BACK else tags.get("oneway")
    if value is None and tags.get("junction") in {"roundabout", "circular"}:
        value = "yes"
    if value in _FORTH:
        return FORWARD
    return BACKWARD if value in _BACK else BIKE


def way_use(tags: Tags) -> int:
    """Return how a way may be used: bits ``WALK``, ``FORWARD`` and ``BACKWARD`` (bicycle); 0: not at all."""
    highway = tags.get("highway")
    if highway not in _KNOWN:
        return 0
    motorroad = tags.get("motorroad") == "yes"
    shared = _has_sidewalk(tags) or (highway == "cycleway" and tags.get("segregated") in {"yes", "no"})
    on_foot = highway in _ON_FOOT or shared
    use = WALK if _may(tags, ("foot", "access"), _CLOSED, usual=on_foot and not motorroad) else 0
    by_bicycle = highway in _BY_BICYCLE or (
        highway in _TRUNKS and any(tags.get(key) in {"lane", "track"} for key in _LANES)
    )
    keys = ("bicycle", "vehicle", "access")
    if highway != "steps" and _may(tags, keys, _CLOSED_TO_BICYCLES, usual=by_bicycle and not motorroad):
        use |= _directions(tags)
    return use


def closed_by(tags: Tags) -> int:
    """Return whom a barrier on a way's node stops: bits ``WALK`` and ``BIKE``; 0: nobody.

    Walls and fences stop everyone unless a tag opens them; what can be locked stops those whom ``foot``, ``bicycle``
    or ``access`` keep out, or everyone when ``locked=yes``; bollards, bars and the like stop only whom their own
    ``foot`` or ``bicycle`` tag names. Stiles and turnstiles stop bicycles.
    """
    barrier = tags.get("barrier")
    if barrier is None:
        return 0
    wall, door = barrier in _WALLS, barrier in _DOORS
    shut = not _says(tags.get("access"), _GRANTED) if wall else door and tags.get("locked") == "yes"
    usual = not shut
    general = ("access",) if door else ()
    closed = 0 if _may(tags, ("foot", *general), _CLOSED, usual=usual) else WALK
    # One gets off at a barrier: only what cannot be pushed through stops a bicycle.
    pushed = usual and barrier not in _NOT_BY_BICYCLE
    keys = ("bicycle", "vehicle", "access") if door else ("bicycle",)
    return closed | (0 if _may(tags, keys, _CLOSED, usual=pushed) else BIKE)
