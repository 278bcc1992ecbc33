import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import javax.sql.DataSource;

/** getConnection and close of HikariCP on a connection that does nothing. A turn for every line of the input. */
public class Hikari {
  static final int BATCH = 2_000;
  static final long FOR_NS = 100_000_000L;

  public static void main(String[] args) throws Exception {
    HikariConfig config = new HikariConfig();
    config.setDataSource(idleSource());
    config.setMaximumPoolSize(10);
    config.setMinimumIdle(10);
    config.setConnectionTestQuery(null);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      // The JIT of a server needs longer than ours.
      for (int n = 0; n < 10; n++) turn(pool);
      System.out.println("{\"reading\": {}}");
      BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
      while (input.readLine() != null) System.out.println("{\"reading\": " + turn(pool) + "}");
    }
  }

  static String turn(DataSource pool) throws Exception {
    var process = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = process.getProcessCpuTime();
    long since = System.nanoTime();
    long cycles = 0;
    do {
      for (int n = 0; n < BATCH; n++) pool.getConnection().close();
      cycles += BATCH;
    } while (System.nanoTime() - since < FOR_NS);
    double ns = (double) (process.getProcessCpuTime() - cpu) / cycles;
    double wallNs = (double) (System.nanoTime() - since) / cycles;
    return "{\"ns\": " + ns + ", \"wallNs\": " + wallNs + "}";
  }

  static DataSource idleSource() {
    return (DataSource) Proxy.newProxyInstance(Hikari.class.getClassLoader(), new Class<?>[] {DataSource.class},
        (self, method, values) -> method.getName().equals("getConnection") ? idleConnection() : nothing(method.getReturnType()));
  }

  static Connection idleConnection() {
    return (Connection) Proxy.newProxyInstance(Hikari.class.getClassLoader(), new Class<?>[] {Connection.class},
        (self, method, values) -> switch (method.getName()) {
          case "isValid", "getAutoCommit" -> true;
          default -> nothing(method.getReturnType());
        });
  }

  static Object nothing(Class<?> type) {
    if (type == boolean.class) return false;
    if (type == int.class) return 0;
    return null;
  }
}
