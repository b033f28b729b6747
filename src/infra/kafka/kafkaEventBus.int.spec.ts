import { describeKafka, kafkaBrokers, uniqueTopic } from '../../../test/support/kafka/forTests.js';
import { eventBusContract } from '../../../test/support/eventBusContract.js';
import { startKafkaBus } from '../../../test/support/kafka/bus.js';

describeKafka('KafkaEventBus, fed by the relay', function () {
  eventBusContract(async (world) => {
    const carried = await startKafkaBus(world, { brokers: await kafkaBrokers(), topic: uniqueTopic() });
    return carried.bus;
  });
});
