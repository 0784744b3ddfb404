/**
 * What is sent besides plain questions and GETs of plain paths, word for word: a second list, written out here, so that a
 * driver alone cannot add to it. Each line is a read of the family named above it.
 */
export const READING: ReadonlySet<string> = new Set([
  // Goldshell: the one command of its miner program that the web interface asks for.
  'GET /mcb/cgminer?cgminercmd=devs',
  // IceRiver: the number selects the action; others restore, reboot or save.
  'POST /user/ipconfig post=1',
  'POST /user/machineconfig post=1',
  'POST /user/userpanel post=4',
  // Innosilicon and DragonMint answer every read to a POST only.
  'POST /api/getAutoTune {}',
  'POST /api/getFacInfo {}',
  'POST /api/getFreqVol {}',
  'POST /api/network {}',
  'POST /api/overview {}',
  'POST /api/pools {}',
  'POST /api/summary {}',
  'POST /api/type {}',
]);

/** Calls of gRPC, all with an empty message. */
export const CALLS: ReadonlySet<string> = new Set([
  // Braiins
  'grpc braiins.bos.v1.MinerService/GetMinerDetails',
  'grpc braiins.bos.v1.NetworkService/GetNetworkInfo',
]);

/** Requests that open a read session and change no setting; user and password are put in from the operator's log-in. */
export const LOGINS: ReadonlySet<string> = new Set([
  // Auradine
  'POST /token {"command":"token","user":"<user>","password":"<password>"}',
  // Braiins
  'POST /api/v1/auth/login {"username":"<user>","password":"<password>"}',
  'grpc braiins.bos.v1.AuthenticationService/Login 1=<user> 2=<password>',
  // Ebang
  'POST /user/login username=<user>&word=<password>&yuyan=1&login=Login&get_password=',
  // Goldshell
  'GET /user/login?username=<user>&password=<password>&cipher=false',
  // IceRiver
  'POST /user/loginpost post=6&user=<user>&pwd=<password>',
  // Innosilicon and DragonMint
  'POST /api/auth username=<user>&password=<password>',
  // MSKMiner
  'POST /admin/login username=<user>&password=<password>',
  // Proto
  'POST /api/v1/auth/login {"password":"<password>"}',
  // SealMiner
  'POST /cgi-bin/login.php username=<user>&origin_pwd=<password>',
  // WhatsMiner: LuCI
  'POST /cgi-bin/luci luci_username=<user>&luci_password=<password>',
]);

/**
 * Documents of GraphQL that only read: one anonymous query, nothing that could be an operation of another kind. `... on
 * Type` opens one of the types that a member may have, which is the only way to the members of some.
 */
export const isReadingQuery = (body: string): boolean =>
  /^\{"query":"\{(?:[A-Za-z0-9_ {}]|\.\.\. on )+\}"\}$/.test(body) &&
  !/mutation|subscription|checkForUpgrade/i.test(body);
