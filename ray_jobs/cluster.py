"""Ray, as the jobs use it: this process's own, or the cluster that the job was submitted to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Ray reports usage to its makers unless told otherwise, and reads this when it is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# A task that asks for no accelerator should see the machine as it is.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

STARTS = 3


@dataclass(frozen=True, slots=True)
class Workers:
    """Where tasks run. `shared_disk` is whether every worker sees the driver's folders.

    `alone` is whether the one worker is this process itself: then nothing of Ray is there.
    """

    count: int
    shared_disk: bool
    alone: bool = False


ALONE = Workers(1, shared_disk=True, alone=True)


def on_cluster() -> bool:
    """Whether a cluster is named by `RAY_ADDRESS` (`ray job submit` sets it), or connected."""
    if os.environ.get("RAY_ADDRESS"):
        return True
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


@contextmanager
def workers(count: int | None) -> Iterator[Workers]:
    """Connect to Ray and shut down what was started here.

    On a cluster that is used, and `count` bounds the tasks at one time. Otherwise one worker is
    this process, and for more a Ray of `count` processes (one a core where it is `None`) is
    started for this process alone, on the loopback address.
    """
    if not on_cluster() and (count or os.cpu_count() or 1) == 1:
        yield ALONE
        return
    import ray

    if ray.is_initialized():
        yield Workers(count or _cpus(), shared_disk=False)
        return
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level="error")
        shared = False
    else:
        _start(count or os.cpu_count() or 1)
        shared = True
    try:
        yield Workers(count or _cpus(), shared)
    finally:
        ray.shutdown()


class RayStartError(RuntimeError):
    """Ray's processes did not come up in the time that Ray allows them."""


def _start(cpus: int) -> None:
    """Start a Ray for this process alone; tried again where a busy machine let it time out."""
    import ray

    for attempt in range(1, STARTS + 1):
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                _node_ip_address="127.0.0.1",
            )
            return
        except Exception as error:  # Ray raises the bare class for a time-out
            if "timed out during startup" not in str(error):
                raise
            ray.shutdown()
            if attempt == STARTS:
                raise RayStartError(
                    f"Ray did not start in {STARTS} attempts ({error}); the machine may be busy: "
                    "run the same command again, with fewer --workers"
                ) from error


def _cpus() -> int:
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
