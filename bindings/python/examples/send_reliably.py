from ferrion import *

messenger = Messenger()
messenger.start()
msg = Message()
msg.address = "0.0.0.0"
msg.body = u"Hello World!"
messenger.outgoing_window = 100
tracker = messenger.put(msg)
messenger.send()
print(messenger.status(tracker))
messenger.stop()
