"""Without torch its part of the package is not collected for doctests; the tests of it skip themselves and say why."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["src/noiseprune/torch/*"]
