/**
 * Takes away what the MQTT library would read from the environment: a proxy for the uplink, and debug output that
 * prints packets with passwords. It reads them while it is loaded, so this module is imported before it.
 */
for (const name of ['DEBUG', 'MQTTJS_SOCKS_PROXY']) delete process.env[name];
