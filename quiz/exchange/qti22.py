"""QTI 2.2, which most learning platforms take."""

from quiz.exchange._qti import Dialect, Qti

_XSD = "http://www.imsglobal.org/xsd/qti/qtiv2p2"

FORMAT = Qti(
    "QTI 2.2",
    "国际通用的试题包，多数学习平台能导入。",
    Dialect(
        "http://www.imsglobal.org/xsd/imsqti_v2p2",
        f"{_XSD}/imsqti_v2p2.xsd",
        "http://www.imsglobal.org/xsd/imscp_v1p1",
        f"{_XSD}/qtiv2p2_imscpv1p2_v1p0.xsd",
        ("QTIv2.2 Package", "1.0.0"),
        "xmlv2p2",
        "http://www.imsglobal.org/question/qti_v2p2/rptemplates/{}",
        hyphens=False,
    ),
)
