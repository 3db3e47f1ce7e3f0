"""Learning platforms over their APIs: submissions are fetched, and points are pushed.

`client` is the only module that opens connections. It sends the token to the platform's own address and to no other,
waits where the platform asks for it, and keeps the token out of every message. `canvas` and `moodle` speak the two
APIs, `fetching` writes a folder that the layouts recognise, and `pushing` decides what would change. `opening` is the
way in: the libraries are optional.
"""

from gradetape.lms.base import ApiFile, ApiStudent, LmsPlace, LmsPlatform
from gradetape.lms.fetching import Fetched, fetch
from gradetape.lms.opening import APIS, open_platform
from gradetape.lms.pushing import PushPlan, PushRequest, plan_push

__all__ = [
    "APIS",
    "ApiFile",
    "ApiStudent",
    "Fetched",
    "LmsPlace",
    "LmsPlatform",
    "PushPlan",
    "PushRequest",
    "fetch",
    "open_platform",
    "plan_push",
]  # fmt: skip
