package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFilterFunction;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Flink DataStream: parse, filter, dedup in keyed state, tumbling event-time window, Kafka sink. */
public class CleanJob {
    static final ObjectMapper JSON = new ObjectMapper();

    public static class Event {
        public String eventId;
        public String device;
        public long ts;
        public double value;
        public boolean good;
    }

    public static class Stats {
        public long count;
        public double sum;
        public double min = Double.POSITIVE_INFINITY;
        public double max = Double.NEGATIVE_INFINITY;
    }

    static class EventSchema extends AbstractDeserializationSchema<Event> {
        @Override
        public Event deserialize(byte[] message) throws IOException {
            Mark.first();
            JsonNode node = JSON.readTree(message);
            JsonNode value = node.get("value");
            Event e = new Event();
            e.eventId = node.get("event_id").asText();
            e.device = node.get("device").asText();
            e.ts = (long) (node.get("ts").doubleValue() * 1000);
            e.good = value != null && value.isNumber();
            e.value = e.good ? value.doubleValue() : 0;
            return e;
        }
    }

    static class Unseen extends RichFilterFunction<Event> {
        private transient ValueState<Boolean> seen;

        @Override
        public void open(OpenContext context) {
            seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Boolean.class));
        }

        @Override
        public boolean filter(Event e) throws Exception {
            if (seen.value() != null) {
                return false;
            }
            seen.update(true);
            return true;
        }
    }

    static class Aggregate implements AggregateFunction<Event, Stats, Stats> {
        @Override
        public Stats createAccumulator() {
            return new Stats();
        }

        @Override
        public Stats add(Event e, Stats s) {
            s.count++;
            s.sum += e.value;
            s.min = Math.min(s.min, e.value);
            s.max = Math.max(s.max, e.value);
            return s;
        }

        @Override
        public Stats getResult(Stats s) {
            return s;
        }

        @Override
        public Stats merge(Stats a, Stats b) {
            a.count += b.count;
            a.sum += b.sum;
            a.min = Math.min(a.min, b.min);
            a.max = Math.max(a.max, b.max);
            return a;
        }
    }

    static class ToJson extends ProcessWindowFunction<Stats, String, String, TimeWindow> {
        @Override
        public void process(String device, Context context, Iterable<Stats> stats, Collector<String> out) {
            Stats s = stats.iterator().next();
            out.collect(JSON.createObjectNode().put("device", device).put("window", context.window().getStart() / 1000.0)
                .put("count", s.count).put("mean", s.sum / s.count).put("min", s.min).put("max", s.max).toString());
        }
    }

    public static void main(String[] args) throws Exception {
        Configuration conf = new Configuration();
        conf.setString("state.backend.type", "hashmap");
        conf.setString("execution.checkpointing.interval", "10 s");
        conf.setString("execution.checkpointing.storage", "filesystem");
        conf.setString("execution.checkpointing.dir", "file://" + System.getenv("WORK") + "/checkpoints");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(conf);
        env.setParallelism(1);

        KafkaSource<Event> source = KafkaSource.<Event>builder()
            .setBootstrapServers(System.getenv("BROKER"))
            .setTopics(System.getenv("IN_TOPIC"))
            .setGroupId(System.getenv("GROUP"))
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setValueOnlyDeserializer(new EventSchema())
            .build();
        KafkaSink<String> sink = KafkaSink.<String>builder()
            .setBootstrapServers(System.getenv("BROKER"))
            .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
            .setRecordSerializer(KafkaRecordSerializationSchema.builder()
                .setTopic(System.getenv("OUT_TOPIC"))
                .setValueSerializationSchema(new SimpleStringSchema())
                .build())
            .build();

        env.fromSource(source, WatermarkStrategy.<Event>forBoundedOutOfOrderness(Duration.ofSeconds(5))
                .withTimestampAssigner((e, t) -> e.ts), "events")
            .filter(e -> e.good)
            .keyBy(e -> e.eventId)
            .filter(new Unseen())
            .keyBy(e -> e.device)
            .window(TumblingEventTimeWindows.of(Duration.ofMinutes(1)))
            .aggregate(new Aggregate(), new ToJson())
            .sinkTo(sink);
        env.execute("clean");
    }
}
