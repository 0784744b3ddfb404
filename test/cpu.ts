/** CPU that this thread took so far, ms: what others take of the machine meanwhile is none of it. */
export const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
