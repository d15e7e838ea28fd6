from ferrion import *

messenger = Messenger()
messenger.subscribe("~0.0.0.0")
messenger.start()
msg = Message()
while True:
    messenger.recv()
    while messenger.incoming:
        messenger.get(msg)
        print(msg.body)
messenger.stop()
