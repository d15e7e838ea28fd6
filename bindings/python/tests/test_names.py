"""What `import *` gives, which type checkers have to be told name by name."""

import importlib
import pkgutil
import unittest

from ferrion import Message, Messenger
from ferrion.engine import Config, LinkConfig, SessionConfig


class Names(unittest.TestCase):
    def test_a_package_has_all_that_its_modules_have(self):
        for name in ("ferrion", "ferrion.engine", "ferrion.asyncio"):
            package = importlib.import_module(name)
            # Packages in it are for themselves, and the extension is for them all.
            parts = [part.name for part in pkgutil.iter_modules(package.__path__) if not part.ispkg and part.name[-3:] != "abi"]
            modules = [importlib.import_module(f"{name}.{part}") for part in parts]
            public = [one for module in modules for one in getattr(module, "__all__", [])]
            # An engine is at hand beside the messenger.
            extra = ["Engine"] if name == "ferrion" else []
            self.assertEqual(sorted(package.__all__), sorted(public + extra), name)
            for one in package.__all__:
                self.assertTrue(hasattr(package, one), one)

    def test_a_name_that_is_mistyped_is_no_setting(self):
        link = LinkConfig("link")
        for its, name in (
            (Message(), "adress"),
            (Messenger(), "outgoing_windw"),
            (Config(), "hostnam"),
            (SessionConfig(), "incoming_windw"),
            (link, "nam"),
            (link.source, "adress"),
            (link.target, "adress"),
        ):
            with self.assertRaises(AttributeError, msg=name):
                setattr(its, name, None)

        class Mine(Messenger):
            pass

        mine = Mine()
        mine.what_only_this_program_knows = 5
        self.assertEqual(mine.what_only_this_program_knows, 5)


if __name__ == "__main__":
    unittest.main()
