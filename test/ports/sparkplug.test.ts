import { test } from 'vitest';
import { embeddedBroker, MOSQUITTO, mosquittoBroker } from './mqtt-brokers.ts';
import { sparkplugEdgeSuite } from './sparkplug-edge.suite.ts';
import { sparkplugHostSuite } from './sparkplug-host.suite.ts';

sparkplugEdgeSuite('the embedded broker', embeddedBroker);
sparkplugHostSuite('the embedded broker', embeddedBroker);

if (MOSQUITTO !== null) {
  const binary = MOSQUITTO;
  sparkplugEdgeSuite('mosquitto', () => mosquittoBroker(binary));
  sparkplugHostSuite('mosquitto', () => mosquittoBroker(binary));
} else if (process.env.CI === 'true') {
  test('mosquitto is installed', () => {
    throw new Error('mosquitto is not installed: .ci/run does that');
  });
} else {
  test.skip('Sparkplug B over mosquitto (not installed)', () => {});
}
