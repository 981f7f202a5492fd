"""QTI 3.0, which newer assessment systems exchange."""

from quiz.exchange._qti import Dialect, Qti

_PURL = "https://purl.imsglobal.org/spec/qti/v3p0"

FORMAT = Qti(
    "QTI 3.0",
    "国际通用的试题包，2022 年起的测评系统用它交换试题。",
    Dialect(
        "http://www.imsglobal.org/xsd/imsqtiasi_v3p0",
        f"{_PURL}/schema/xsd/imsqti_asiv3p0_v1p0.xsd",
        "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1",
        f"{_PURL}/schema/xsd/imsqtiv3p0_imscpv1p2_v1p0.xsd",
        ("QTI Package", "3.0.0"),
        "xmlv3p0",
        f"{_PURL}/rptemplates/{{}}.xml",
        hyphens=True,
    ),
)
