// Shows the messages of a room as they stand, and sends what is typed. `npm install centrifuge`, then
// node client.mjs ws://127.0.0.1:8000/connection/websocket lobby Ada    (Node 22 or newer)
import { Centrifuge } from 'centrifuge';

const [url, channel, name] = process.argv.slice(2);
const client = new Centrifuge(url, { data: { name } });
const room = client.newSubscription(channel);
let [messages, waiting] = [new Map(), null]; // by offset; what comes while they are being loaded

async function call(method, data) {
  try {
    await client.ready();
    return (await client.rpc(method, data)).data;
  } catch (error) {
    if (error.code >= 100 && !error.temporary) throw error; // below 100: no answer came
    await new Promise((resolve) => setTimeout(resolve, 1000)); // then again: with the same key it is the same message
    return call(method, data);
  }
}

function apply({ offset, data, info }) {
  const { type, target, text, emoji, on } = data ?? {};
  const message = messages.get(target);
  if (type === 'message') messages.set(offset, { offset, data, info });
  if (type === 'edit' && message) message.data.text = text;
  if (type === 'delete' && message) messages.set(target, { offset: target, data: null, info });
  if (type === 'reaction' && message) {
    const others = message.reactions?.[emoji]?.filter((user) => user !== info.user) ?? [];
    message.reactions = { ...message.reactions, [emoji]: on ? [...others, info.user] : others };
  }
}

const show = () => console.log(JSON.stringify([...messages.values()]));

room.on('publication', (entry) => (waiting ? waiting.push(entry) : show(apply(entry))));
room.on('subscribed', async ({ recovered }) => {
  if (recovered) return; // what was missed comes as publications
  const missed = (waiting = []);
  const { messages: loaded, offset = 0 } = await call('messages', { channel, limit: 100 });
  if (waiting !== missed) return; // subscribed once more, and loading once more
  messages = new Map(loaded.map((message) => [message.offset, message]));
  missed.filter((entry) => entry.offset > offset).forEach(apply);
  waiting = null;
  show();
});
client.connect();
room.subscribe();
process.stdin.on('data', (typed) => call('send', { channel, key: crypto.randomUUID(), text: `${typed}`.trim() }));
