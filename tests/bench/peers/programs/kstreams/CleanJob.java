package bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.state.*;

/** Kafka Streams DSL: filter, dedup in a key-value store (RocksDB), tumbling window, final results. */
public class CleanJob {
    static final ObjectMapper JSON = new ObjectMapper();

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static class Event {
        public String event_id;
        public String device;
        public double ts;
        public JsonNode value;
    }

    public static class Stats {
        public long count;
        public double sum;
        public double min = Double.POSITIVE_INFINITY;
        public double max = Double.NEGATIVE_INFINITY;

        Stats add(double v) {
            count++;
            sum += v;
            min = Math.min(min, v);
            max = Math.max(max, v);
            return this;
        }
    }

    public record Result(String device, double window, long count, double mean, double min, double max) {}

    static <T> Serde<T> json(Class<T> type) {
        return Serdes.serdeFrom(
            (topic, data) -> {
                try {
                    return data == null ? null : JSON.writeValueAsBytes(data);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            },
            (topic, bytes) -> {
                try {
                    return bytes == null ? null : JSON.readValue(bytes, type);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
    }

    public static class EventTime implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            Mark.first();
            return (long) (((Event) record.value()).ts * 1000);
        }
    }

    static class Dedup implements FixedKeyProcessor<String, Event, Event> {
        private FixedKeyProcessorContext<String, Event> context;
        private KeyValueStore<String, Long> seen;

        @Override
        public void init(FixedKeyProcessorContext<String, Event> context) {
            this.context = context;
            this.seen = context.getStateStore("seen");
        }

        @Override
        public void process(FixedKeyRecord<String, Event> record) {
            if (seen.putIfAbsent(record.value().event_id, record.timestamp()) == null) {
                context.forward(record);
            }
        }
    }

    public static void main(String[] args) {
        Properties props = new Properties();
        props.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("GROUP"));
        props.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BROKER"));
        props.put(StreamsConfig.STATE_DIR_CONFIG, "state");
        props.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore("seen"), Serdes.String(), Serdes.Long()));
        Duration minute = Duration.ofMinutes(1);
        Duration grace = Duration.ofSeconds(5);
        WindowBytesStoreSupplier windows =
            Stores.persistentTimestampedWindowStore("stats", Duration.ofMinutes(10), minute, false);
        builder
            .stream(System.getenv("IN_TOPIC"), Consumed.with(Serdes.String(), json(Event.class))
                .withTimestampExtractor(new EventTime()))
            .filter((device, e) -> e.value != null && e.value.isNumber())
            .processValues(Dedup::new, "seen")
            .groupByKey(Grouped.with(Serdes.String(), json(Event.class)))
            .windowedBy(TimeWindows.ofSizeAndGrace(minute, grace))
            .emitStrategy(EmitStrategy.onWindowClose())
            .aggregate(Stats::new, (device, e, s) -> s.add(e.value.doubleValue()),
                Materialized.<String, Stats>as(windows).withKeySerde(Serdes.String()).withValueSerde(json(Stats.class)))
            .toStream()
            .map((w, s) -> KeyValue.pair(w.key(),
                new Result(w.key(), w.window().start() / 1000.0, s.count, s.sum / s.count, s.min, s.max)))
            .to(System.getenv("OUT_TOPIC"), Produced.with(Serdes.String(), json(Result.class)));

        KafkaStreams streams = new KafkaStreams(builder.build(), props);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
