"""The edge of the HTTP door: problems, correlation, headers, metrics and what no request may contain."""

from app.core.http.bodies import DEFAULT_BODY_BYTES, UPLOAD_BODY_BYTES, WEBHOOK_BODY_BYTES, refuse_nul
from app.core.http.edge import RequestContext, RequestMetrics, SecurityHeaders, install_edge
from app.core.http.hosts import AllowedHosts, allowed_hosts
from app.core.http.limits import ChargeRequests, LimitRules, RateLimits, WebhookLimit
from app.core.http.panel import Panel
from app.core.http.problems import EXCEPTION_HANDLERS, FieldError, Problem

__all__ = [
    "DEFAULT_BODY_BYTES",
    "EXCEPTION_HANDLERS",
    "UPLOAD_BODY_BYTES",
    "WEBHOOK_BODY_BYTES",
    "AllowedHosts",
    "ChargeRequests",
    "FieldError",
    "LimitRules",
    "Panel",
    "Problem",
    "RateLimits",
    "RequestContext",
    "RequestMetrics",
    "SecurityHeaders",
    "WebhookLimit",
    "allowed_hosts",
    "install_edge",
    "refuse_nul",
]
