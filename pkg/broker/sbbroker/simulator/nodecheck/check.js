// Runs Microsoft's Service Bus client for Node against a namespace with the queues
// "plain" (maximal delivery count 3) and "unique" (duplicate detection) and the topic
// "events" with the subscriptions "left" and "right". The client is an independent
// reading of the same wire contract as the one for Go.
//
//   SERVICEBUS_CONNECTION_STRING=... node check.js
//
// Prints one line a scenario and exits with 1 if one fails.
import assert from "node:assert/strict";
import { ServiceBusClient } from "@azure/service-bus";

const client = new ServiceBusClient(process.env.SERVICEBUS_CONNECTION_STRING, {
  retryOptions: { maxRetries: 1, retryDelayInMs: 50, timeoutInMs: 10000 },
});

const wait = { maxWaitTimeInMs: 5000 };

async function receive(receiver, n) {
  const got = [];
  while (got.length < n) {
    const more = await receiver.receiveMessages(n - got.length, wait);
    assert.ok(more.length > 0, `received ${got.length} of ${n}`);
    got.push(...more);
  }
  return got;
}

const scenarios = {
  async "send, receive, complete"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    await sender.sendMessages({ body: { a: 1 }, messageId: "n1", applicationProperties: { k: "v", n: 7 } });
    const [m] = await receive(receiver, 1);
    assert.deepEqual(m.body, { a: 1 });
    assert.equal(m.messageId, "n1");
    assert.deepEqual(m.applicationProperties, { k: "v", n: 7 });
    assert.equal(m.deliveryCount, 0);
    assert.ok(m.lockedUntilUtc instanceof Date && m.enqueuedTimeUtc instanceof Date);
    await receiver.completeMessage(m);
    assert.equal((await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).length, 0);
    await sender.close();
    await receiver.close();
  },

  async "batch and large message"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    const batch = await sender.createMessageBatch();
    for (let i = 0; i < 50; i++) assert.ok(batch.tryAddMessage({ body: `b${i}` }));
    await sender.sendMessages(batch);
    await sender.sendMessages({ body: "x".repeat(200 * 1024) });
    for (const m of await receive(receiver, 51)) await receiver.completeMessage(m);
    await assert.rejects(
      sender.sendMessages({ body: "x".repeat(300 * 1024) }),
      (e) => e.code === "MessageSizeExceeded",
    );
    await sender.close();
    await receiver.close();
  },

  async "abandon, then dead-letter by delivery count"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    await sender.sendMessages({ body: "poison" });
    for (let i = 0; i < 3; i++) {
      const [m] = await receive(receiver, 1);
      assert.equal(m.deliveryCount, i);
      await receiver.abandonMessage(m, { tries: i });
    }
    const dead = client.createReceiver("plain", { subQueueType: "deadLetter" });
    const [m] = await receive(dead, 1);
    assert.equal(m.deadLetterReason, "MaxDeliveryCountExceeded");
    assert.equal(m.deadLetterSource, "plain");
    await dead.completeMessage(m);
    await dead.close();
    await sender.close();
    await receiver.close();
  },

  async "dead-letter with a reason on a subscription"() {
    const sender = client.createSender("events");
    await sender.sendMessages({ body: "e", subject: "s" });
    const left = client.createReceiver("events", "left");
    const right = client.createReceiver("events", "right");
    const [l] = await receive(left, 1);
    await left.deadLetterMessage(l, { deadLetterReason: "why", deadLetterErrorDescription: "because", stage: "x" });
    const dead = client.createReceiver("events", "left", { subQueueType: "deadLetter" });
    const [m] = await receive(dead, 1);
    assert.equal(m.deadLetterReason, "why");
    assert.equal(m.deadLetterErrorDescription, "because");
    assert.equal(m.applicationProperties.stage, "x");
    await dead.completeMessage(m);
    const [r] = await receive(right, 1);
    assert.equal(r.subject, "s");
    await right.completeMessage(r);
    for (const c of [sender, left, right, dead]) await c.close();
  },

  async "peek and renew"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    await sender.sendMessages([{ body: "p1" }, { body: "p2" }]);
    const [m] = await receive(receiver, 1);
    const peeked = await receiver.peekMessages(10);
    assert.deepEqual(peeked.map((p) => p.body), ["p1", "p2"]);
    const until = await receiver.renewMessageLock(m);
    assert.ok(until.getTime() >= m.lockedUntilUtc.getTime() - 1000);
    await receiver.completeMessage(m);
    for (const rest of await receive(receiver, 1)) await receiver.completeMessage(rest);
    await sender.close();
    await receiver.close();
  },

  async "defer and receive by sequence number"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    await sender.sendMessages({ body: "later" });
    const [m] = await receive(receiver, 1);
    await receiver.deferMessage(m);
    const [again] = await receiver.receiveDeferredMessages(m.sequenceNumber);
    assert.equal(again.body, "later");
    assert.equal(again.state, "deferred");
    await receiver.completeMessage(again);
    await sender.close();
    await receiver.close();
  },

  async "schedule and cancel"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    const far = await sender.scheduleMessages({ body: "far" }, new Date(Date.now() + 3600_000));
    const near = await sender.scheduleMessages({ body: "near" }, new Date(Date.now() + 100));
    assert.equal(near.length, 1);
    await sender.cancelScheduledMessages(far);
    const [m] = await receive(receiver, 1);
    assert.equal(m.body, "near");
    await receiver.completeMessage(m);
    await sender.close();
    await receiver.close();
  },

  async "duplicate detection"() {
    const sender = client.createSender("unique");
    const receiver = client.createReceiver("unique");
    await sender.sendMessages([{ body: 1, messageId: "d" }, { body: 2, messageId: "d" }]);
    await sender.sendMessages({ body: 3, messageId: "d" });
    const [m] = await receive(receiver, 1);
    assert.equal(m.body, 1);
    await receiver.completeMessage(m);
    assert.equal((await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).length, 0);
    await sender.close();
    await receiver.close();
  },

  async "receive and delete, streaming"() {
    const sender = client.createSender("plain");
    await sender.sendMessages(Array.from({ length: 20 }, (_, i) => ({ body: i })));
    const receiver = client.createReceiver("plain", { receiveMode: "receiveAndDelete" });
    const seen = new Set();
    await new Promise((resolve, reject) => {
      receiver.subscribe({
        async processMessage(m) {
          seen.add(m.body);
          if (seen.size === 20) resolve();
        },
        async processError(e) {
          reject(e.error);
        },
      });
    });
    await sender.close();
    await receiver.close();
  },

  async "unknown entity"() {
    const sender = client.createSender("nowhere");
    await assert.rejects(sender.sendMessages({ body: "x" }), (e) => e.code === "MessagingEntityNotFound");
    await sender.close();
  },

  async "sessions are refused"() {
    await assert.rejects(client.acceptSession("plain", "s"));
  },
};

let failed = 0;
for (const [name, run] of Object.entries(scenarios)) {
  const start = Date.now();
  try {
    await run();
    console.log(`ok   ${name} (${Date.now() - start} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}: ${e.code ?? ""} ${e.stack}`);
  }
}
await client.close();
process.exit(failed ? 1 : 0);
