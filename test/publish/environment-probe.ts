import { connect } from '../../agent/publish/mqtt.ts';
import { FAST } from './agents.ts';

/** A process of its own, because the library reads the environment while it is loaded: connects to the port in its argument. */
const port = Number(process.argv[2]);
const result = await connect({
  broker: { url: `mqtt://127.0.0.1:${port}`, host: '127.0.0.1', port, tls: false },
  protocol: '5',
  clientId: 'gw-1',
  credentials: { username: 'gw-1', password: 'not to be printed' },
  tlsMin: '1.3',
  will: { topic: 'a/b', payload: Buffer.from('{}'), retain: true },
  timing: FAST,
  signal: new AbortController().signal,
});
const { MQTTJS_SOCKS_PROXY: proxy = null, DEBUG: debug = null } = process.env;
process.stdout.write(JSON.stringify({ kind: result.kind, proxy, debug }));
if (result.kind === 'connected') result.drop({ kind: 'left' });
