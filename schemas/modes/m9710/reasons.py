"""Why an order takes the route it takes: every reason, what it says, and where it comes from."""

from __future__ import annotations

from aggregator.schemas.modes.m9710.limits import LIST_CNY, RATE, ROUTE
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_UNKNOWN = ours("what is not known counts as if it applied")
REASONS: dict[str, tuple[Text, tuple[Cite, ...]]] = {
    "over_limit": (Text("over RMB 5,000.00", "超过人民币5000元"), (LIST_CNY.cite, RATE)),
    "licence": (Text("a licence number", "有许可证号"), (LIST_CNY.cite,)),
    "duty": (Text("export duty applies", "涉出口关税"), (LIST_CNY.cite,)),
    "inspection": (Text("inspection applies", "涉检验检疫"), (LIST_CNY.cite,)),
    "refund": (Text("the firm claims the tax refund", "企业申请出口退税"), (ROUTE,)),
    "unknown_inspection": (Text("nothing says whether inspection applies", "是否涉检未知"), (_UNKNOWN,)),
    "unknown_duty": (Text("nothing says whether export duty applies", "是否涉税未知"), (_UNKNOWN,)),
    "chosen": (Text("asked for (--route declaration)", "按要求报关（--route declaration）"), (Cite("BROKER-GUIDES", "list or declaration is the firm's choice", Status.READ),)),
    "within_limit": (Text("a list: up to RMB 5,000.00, and none of these applies", "走清单：不超过人民币5000元，且无上述情形"), (LIST_CNY.cite, RATE)),
}
"""In the order in which they are given."""
