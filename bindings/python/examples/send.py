from ferrion import *

messenger = Messenger()
messenger.start()
msg = Message()
msg.address = "0.0.0.0"
msg.body = u"Hello World!"
messenger.put(msg)
messenger.send()
