"""A WFS 2.0 written by hand: it says what a test wants it to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from importer_help import EAST, NORTH
from scripted_server import Answer, Handler, Scripted, said

UTM = "urn:ogc:def:crs:EPSG::25832"
XMLNS = (
    'xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:a="urn:a" '
    'xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
SCHEMA = """<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:a="urn:a">
<element name="orte" type="a:orteType"/><complexType name="orteType"><complexContent>
<extension base="gml:AbstractFeatureType"><sequence>
<element name="id" type="string"/><element name="name" type="string"/><element name="plaetze" type="int"/>
<element name="wert"><simpleType><restriction base="double"/></simpleType></element>
<element name="offen" type="boolean"/><element name="geom" type="gml:PointPropertyType"/>
</sequence></extension></complexContent></complexType></schema>"""


def capabilities(
    types: tuple[str, ...] = ("a:orte",), crs: tuple[str, ...] = (UTM,), constraints: str = "", version: str = "2.0.0"
) -> bytes:
    default, *others = crs
    more = "".join(f"<wfs:OtherCRS>{name}</wfs:OtherCRS>" for name in others)
    listed = "".join(
        f"<wfs:FeatureType><wfs:Name>{name}</wfs:Name><wfs:Title>t</wfs:Title><wfs:DefaultCRS>{default}"
        f"</wfs:DefaultCRS>{more}</wfs:FeatureType>"
        for name in types
    )
    return f"""<?xml version="1.0"?><wfs:WFS_Capabilities version="{version}" {XMLNS}><ows:OperationsMetadata>
<ows:Operation name="GetFeature"/>{constraints}</ows:OperationsMetadata>
<wfs:FeatureTypeList>{listed}</wfs:FeatureTypeList></wfs:WFS_Capabilities>""".encode()


def constraint(name: str, value: str) -> str:
    return f'<ows:Constraint name="{name}"><ows:NoValues/><ows:DefaultValue>{value}</ows:DefaultValue></ows:Constraint>'


def at(x: float, y: float, srs: str | None = UTM) -> str:
    named = f' srsName="{srs}"' if srs else ""
    return f"<gml:Point{named}><gml:pos>{x} {y}</gml:pos></gml:Point>"


def ort(number: int, shape: str | None = None, more: str = "", gml_id: str | None = "") -> str:
    named = "" if gml_id is None else f' gml:id="{gml_id or f"orte.{number}"}"'
    geometry = at(EAST + 100 + 10 * number, NORTH + 500) if shape is None else shape
    return (
        f"<a:orte{named}><gml:boundedBy><gml:Envelope srsName='EPSG:4326'><gml:lowerCorner>1 2</gml:lowerCorner>"
        f"</gml:Envelope></gml:boundedBy><a:id>a{number}</a:id><a:name>Treff {number}</a:name>{more}"
        f"<a:geom>{geometry}</a:geom></a:orte>"
    )


def gml(*features: str, head: str = "", **counts: Any) -> bytes:
    said_counts = " ".join(f'{name}="{value}"' for name, value in counts.items())
    members = "".join(f"<wfs:member>{feature}</wfs:member>" for feature in features)
    collection = f"<wfs:FeatureCollection {XMLNS} {said_counts}>{head}{members}</wfs:FeatureCollection>"
    return b'<?xml version="1.0" encoding="UTF-8"?>' + collection.encode()


def serve(
    scripted: Scripted, *pages: bytes | Answer, about: bytes | None = None, schema: bytes | Answer | None = None
) -> str:
    """Let a server be a WFS with these answers to GetFeature in turn; return its address."""
    waiting = [page if isinstance(page, Answer) else said(page, "text/xml") for page in pages]

    def by_request(handler: Handler) -> Answer:
        asked = parse_qs(urlsplit(handler.path).query)["request"][0]
        if asked == "GetCapabilities":
            return said(about or capabilities(), "text/xml")
        if asked == "DescribeFeatureType":
            return schema if isinstance(schema, Answer) else said(schema or SCHEMA.encode(), "text/xml")
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return scripted.put("/wfs", by_request)
