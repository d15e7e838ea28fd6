import java.io.File;
import org.apache.activemq.broker.BrokerFactory;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.broker.TransportConnector;

/**
 * Runs an ActiveMQ broker for a test, until standard input ends: then nothing is left of it, whatever became of the test,
 * but its log.
 *
 * <p>The arguments are the file of its configuration and the folder of its data. It prints "port NAME NUMBER" for each
 * transport connector, whose port may be 0 in the file, and then "ready".
 */
public final class ActiveMqPeer {
    public static void main(String[] arguments) throws Exception {
        try {
            BrokerService broker = BrokerFactory.createBroker("xbean:file:" + arguments[0]);
            broker.start();
            broker.waitUntilStarted();
            for (TransportConnector connector : broker.getTransportConnectors()) {
                System.out.println("port " + connector.getName() + " " + connector.getConnectUri().getPort());
            }
        } catch (Throwable failure) {
            failure.printStackTrace();
            // Threads of the broker may run by now.
            Runtime.getRuntime().halt(1);
        }
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // What comes says nothing.
        }
        remove(new File(arguments[1]));
        Runtime.getRuntime().halt(0);
    }

    private static void remove(File file) {
        File[] inside = file.listFiles();
        if (inside != null) {
            for (File each : inside) {
                remove(each);
            }
        }
        file.delete();
    }
}
