/** One miner of the demo: its place in the hall, which is its device id, and the specimen that it plays. */
export interface Miner {
  readonly name: string;
  readonly specimen: string;
  /** Name of an entry under `credentials`, for web interfaces that ask for a log-in. */
  readonly credentials?: string;
}

/** Five families. The passwords of specimens are part of them and open nothing else. */
export const MINERS: readonly Miner[] = [
  { name: 'r1-01', specimen: 'antminer-stock/s21', credentials: 'stock' },
  { name: 'r1-02', specimen: 'antminer-stock/s19-4028' },
  { name: 'r1-03', specimen: 'antminer-stock/ks5-4028' },
  { name: 'r1-04', specimen: 'whatsminer/m50s-api2' },
  { name: 'r1-05', specimen: 'whatsminer/m7x-rel3' },
  { name: 'r2-01', specimen: 'avalon/a741-modules' },
  { name: 'r2-02', specimen: 'avalon/q-resting' },
  { name: 'r2-03', specimen: 'axeos/gamma-2.15' },
  { name: 'r2-04', specimen: 'axeos/nerdqaxe-v2' },
  { name: 'r2-05', specimen: 'axeos/supra-2.4' },
  { name: 'r3-01', specimen: 'cgminer/cgminer' },
  { name: 'r3-02', specimen: 'cgminer/bfgminer' },
];

/** Log-ins by the names that miners use. */
export const LOGINS: { readonly [name: string]: { readonly user: string; readonly password: string } } = {
  stock: { user: 'root', password: 'specimen' },
};

/** A miner that answers, and where. */
export interface Place {
  readonly name: string;
  readonly address: string;
  readonly ports: { readonly cgminer: number; readonly http: number };
}
