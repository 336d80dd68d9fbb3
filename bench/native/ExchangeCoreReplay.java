// Drives the matching module of exchange-core (OrderBookDirectImpl) through a command stream; see docs/benchmarks.md.
// Stream, arguments and answers are those of replay.hpp. Events are recycled, as exchange-core's own pipeline does.

import com.sun.management.OperatingSystemMXBean;
import exchange.core2.collections.objpool.ObjectsPool;
import exchange.core2.core.common.CoreSymbolSpecification;
import exchange.core2.core.common.MatcherEventType;
import exchange.core2.core.common.MatcherTradeEvent;
import exchange.core2.core.common.OrderAction;
import exchange.core2.core.common.OrderType;
import exchange.core2.core.common.SymbolType;
import exchange.core2.core.common.cmd.CommandResultCode;
import exchange.core2.core.common.cmd.OrderCommand;
import exchange.core2.core.common.cmd.OrderCommandType;
import exchange.core2.core.common.config.LoggingConfiguration;
import exchange.core2.core.orderbook.IOrderBook;
import exchange.core2.core.orderbook.OrderBookDirectImpl;
import exchange.core2.core.orderbook.OrderBookEventsHelper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;

public final class ExchangeCoreReplay {
  private static final int WORDS = 8;
  private static final int CANCEL = 4;
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final int books;
  private final int prefill;
  private final int count;
  private final int[] words;
  private int[] tape = new int[1 << 23];
  private int tapeLength;
  private MatcherTradeEvent spare;

  private ExchangeCoreReplay(Path file) throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int[] header = new int[WORDS];
    bytes.asIntBuffer().get(header);
    if (header[0] != 0x4d4b5431) throw new IllegalArgumentException(file + " is no command stream");
    books = header[1];
    prefill = header[3];
    count = header[4];
    words = new int[count * WORDS];
    bytes.position(WORDS * 4);
    bytes.asIntBuffer().get(words);
  }

  public static void main(String[] arguments) throws Exception {
    ExchangeCoreReplay replay = new ExchangeCoreReplay(Path.of(arguments[0]));
    int limit = Math.min(replay.count, Integer.parseInt(arguments[1]));
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      if (line.startsWith("run")) System.out.println(replay.run(limit, arguments));
    }
  }

  private String run(int limit, String[] arguments) {
    tapeLength = 0;
    ObjectsPool pool = objectsPool();
    OrderBookEventsHelper events = new OrderBookEventsHelper(this::nextEvents);
    IOrderBook[] all = new IOrderBook[books];
    for (int book = 0; book < books; book++) {
      all[book] = new OrderBookDirectImpl(specification(book), pool, events, LoggingConfiguration.DEFAULT);
    }
    play(all, 0, prefill);
    System.gc();
    long cpu = PROCESS.getProcessCpuTime();
    long wall = System.nanoTime();
    play(all, prefill, limit);
    long wallSpent = System.nanoTime() - wall;
    long cpuSpent = PROCESS.getProcessCpuTime() - cpu;
    StringBuilder hashes = new StringBuilder();
    for (int at = 2; at < arguments.length; at++) {
      String hash = hash(ordersWithin(Math.min(limit, Integer.parseInt(arguments[at]))));
      hashes.append(String.format("%s\"%s\":\"%s\"", at > 2 ? "," : "", arguments[at], hash));
    }
    return String.format(
        "{\"nanoseconds\":%d,\"cpuNanoseconds\":%d,\"commands\":%d,\"trades\":%d,\"hashes\":{%s}}",
        wallSpent, cpuSpent, limit - prefill, tapeLength / 4, hashes);
  }

  private void play(IOrderBook[] all, int from, int to) {
    OrderCommand command = new OrderCommand();
    for (int at = from * WORDS; at < to * WORDS; at += WORDS) {
      int operation = words[at];
      IOrderBook book = all[words[at + 1]];
      command.uid = words[at + 2];
      command.orderId = words[at + 4] + 1L;
      command.matcherEvent = null;
      command.resultCode = CommandResultCode.VALID_FOR_MATCHING_ENGINE;
      if (operation == CANCEL) {
        command.command = OrderCommandType.CANCEL_ORDER;
        IOrderBook.processCommand(book, command);
      } else {
        command.command = OrderCommandType.PLACE_ORDER;
        command.action = (operation & 1) == 0 ? OrderAction.BID : OrderAction.ASK;
        command.orderType = operation < 2 ? OrderType.GTC : OrderType.IOC;
        command.price = words[at + 5] + 1;
        command.reserveBidPrice = command.price;
        command.size = words[at + 6];
        IOrderBook.processCommand(book, command);
      }
      if (command.matcherEvent != null) take(words[at + 4], command.matcherEvent);
    }
  }

  private void take(int taker, MatcherTradeEvent first) {
    MatcherTradeEvent last = first;
    for (MatcherTradeEvent event = first; event != null; event = event.nextEvent) {
      last = event;
      if (event.eventType != MatcherEventType.TRADE) continue;
      if (tapeLength + 4 > tape.length) tape = java.util.Arrays.copyOf(tape, tape.length * 2);
      tape[tapeLength] = taker;
      tape[tapeLength + 1] = (int) event.matchedOrderId - 1;
      tape[tapeLength + 2] = (int) event.price - 1;
      tape[tapeLength + 3] = (int) event.size;
      tapeLength += 4;
    }
    last.nextEvent = spare;
    spare = first;
  }

  private MatcherTradeEvent nextEvents() {
    if (spare == null) return MatcherTradeEvent.createEventChain(1024);
    MatcherTradeEvent chain = spare;
    spare = null;
    return chain;
  }

  private static CoreSymbolSpecification specification(int book) {
    return CoreSymbolSpecification.builder()
        .symbolId(book).type(SymbolType.CURRENCY_EXCHANGE_PAIR).baseCurrency(1).quoteCurrency(2)
        .baseScaleK(1).quoteScaleK(1).takerFee(0).makerFee(0).build();
  }

  private static ObjectsPool objectsPool() {
    HashMap<Integer, Integer> sizes = new HashMap<>();
    sizes.put(ObjectsPool.DIRECT_ORDER, 1024 * 1024);
    sizes.put(ObjectsPool.DIRECT_BUCKET, 1024 * 64);
    sizes.put(ObjectsPool.ART_NODE_4, 1024 * 32);
    sizes.put(ObjectsPool.ART_NODE_16, 1024 * 16);
    sizes.put(ObjectsPool.ART_NODE_48, 1024 * 8);
    sizes.put(ObjectsPool.ART_NODE_256, 1024 * 4);
    return new ObjectsPool(sizes);
  }

  private int ordersWithin(int commands) {
    int orders = 0;
    for (int at = 0; at < commands * WORDS; at += WORDS) if (words[at] != CANCEL) orders++;
    return orders;
  }

  private String hash(int orders) {
    int high = 0x811c9dc5;
    int low = 0x9e3779b9;
    for (int at = 0; at < tapeLength; at++) {
      if (at % 4 == 0 && tape[at] >= orders) break;
      high = (high ^ tape[at]) * 0x01000193;
      low = (Integer.rotateLeft(low, 13) ^ tape[at]) * 0x5bd1e995;
    }
    return String.format("%08x%08x", high, low);
  }
}
