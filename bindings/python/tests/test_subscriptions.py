"""What subscriptions ask of a peer."""

import unittest

import ferrion
from ferrion import *
from pair import Pair


class Subscriptions(Pair):
    """The sender receives here too: it subscribes to nodes of the receiver's."""

    def setUp(self):
        super().setUp()
        self.sender.blocking = False

    def asked(self, node, **options):
        """Subscribes; the subscription, once it was answered, and the frame that asked for it."""
        self.sender.set_tracing(True)
        subscription = self.sender.subscribe(f"127.0.0.1:{self.port}/{node}", **options)
        self.assertIsNone(subscription.source)
        self.until(lambda: subscription.source is not None)
        self.sender.set_tracing(False)
        return subscription, next(line for line in self.sender.trace() if "-> @attach" in line)

    def test_all_of_it_is_asked_for(self):
        subscription, attach = self.asked(
            "#",
            ttl=60,
            durable="invoices",
            selector="price > 10",
            no_local=True,
            filters={"offset": Described(symbol("example:stream-offset"), "first")},
            filters_optional=True,
            copies=True,
            capabilities=["topic"],
            node_properties={"example:node": uint(4711)},
            link_properties={"example:link": 1},
            credit=2,
        )
        for part in [
            "invoices",
            "price > 10",
            "apache.org:no-local-filter:list",
            "example:stream-offset",
            "copy",
            "topic",
            "example:node",
            "4711",
            "example:link",
            "link-detach",
        ]:
            self.assertIn(part, attach)
        self.assertTrue(any("selector" in warning for warning in self.sender.warnings()))
        self.assertNotIn("filter", subscription.source)
        self.assertIsNotNone(subscription.address)

    def test_time_to_live_alone(self):
        subscription, attach = self.asked("kept", ttl=1.5, name="named", distribution_mode="move")
        self.assertIn("named", attach)
        self.assertEqual(subscription.source["address"], "kept")
        _, attach = self.asked("kept too", ttl=1.5)
        self.assertIn("link-detach", attach)

    def test_a_subscription_ends_here_or_for_good(self):
        for keep in [False, True]:
            subscription, _ = self.asked("news", durable=f"kept: {keep}")
            self.sender.set_tracing(True)
            self.until(lambda: self.sender.unsubscribe(subscription, keep=keep))
            self.sender.set_tracing(False)
            detach = next(line for line in self.sender.trace() if "-> @detach" in line)
            self.assertEqual("closed=true" in detach, not keep)
            self.assertIsNone(subscription.source)
            self.assertTrue(self.sender.unsubscribe(subscription))

    def test_an_address_that_is_left_is_listened_on_no_more(self):
        subscription = self.sender.subscribe("~127.0.0.1:0")
        self.assertIsNotNone(subscription.port)
        self.assertTrue(self.sender.unsubscribe(subscription))
        self.assertIsNone(subscription.port)

    def test_what_was_insisted_on_is_an_exception(self):
        self.sender.subscribe(f"127.0.0.1:{self.port}/selected", selector="price > 10")
        with self.assertRaisesRegex(MessengerException, "selector") as caught:
            self.until(lambda: self.sender.recv())
        self.assertEqual(caught.exception.status, ferrion.abi.FERRION_SUBSCRIBE)

    def test_mistakes(self):
        self.assertRaises(TypeError, self.sender.subscribe, self.address, colour="red")
        self.assertRaises(MessengerException, self.sender.subscribe, "~127.0.0.1:0", selector="price > 10")
        self.assertRaises(MessageException, self.sender.subscribe, self.address, filters={"offset": "first"})
        self.assertRaises(MessengerException, self.sender.subscribe, self.address, capabilities=["töpic"])
        listening = self.sender.subscribe("~127.0.0.1:0", credit=1)
        self.assertIsNone(listening.source)
        self.assertIsNotNone(listening.port)


if __name__ == "__main__":
    unittest.main()
