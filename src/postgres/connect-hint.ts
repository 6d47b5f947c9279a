import type { ConnectionConfig } from "./connection-config.ts";

/** What to do when a server cannot be reached or refuses: in the words of the user's own configuration. */
export function connectHint(config: ConnectionConfig, code: string | undefined, message = ""): string {
  const prefix = config.side === "source" ? "MAIN_DB" : "ARCHIVE_DB";
  const flag = config.side === "source" ? "--source" : "--target";
  switch (code) {
    case "ECONNREFUSED":
      return `Nothing listens at ${config.host}:${config.port}. Is the server up, and are ${prefix}_HOST and ${prefix}_PORT (or ${flag}) right?`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host name ${config.host} is not known. Check ${prefix}_HOST or ${flag}.`;
    case "ENOENT":
      return `There is no socket for port ${config.port} in ${config.host}. Is the server up?`;
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `No answer within ${config.connectTimeoutMs / 1000} s. A firewall, or the wrong host? --connect-timeout gives it longer.`;
    case "28P01":
      return `The password for ${config.user} is wrong. It is taken from the URL or ${prefix}_PASSWORD, then PGPASSFILE or ~/.pgpass, the service file, PGPASSWORD.`;
    case "28000":
      return `The server's pg_hba.conf does not let ${config.user} in from here (or not without TLS: see sslmode).`;
    case "3D000":
      return `There is no database ${config.database} there. Check ${prefix}_NAME or ${flag}; names are case-sensitive.`;
    case "53300":
      return "The server has no connection left. Lower PG_JOBS, or raise max_connections there.";
    case "57P03":
      return "The server is starting up or shutting down. Try again in a moment.";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `The server's certificate is for another name than ${config.host}. Connect by the name it was issued for, or use sslmode=verify-ca where only the authority matters.`;
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "The server's certificate was not signed by an authority in sslrootcert (PGSSLROOTCERT). Get the right root certificate from whoever runs the server; if there is none to be had, somebody may be in between.";
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "The server's certificate is not valid at this time: renew it there, and check this machine's clock.";
    case "CERT_REVOKED":
      return "The server's certificate is on the revocation list (sslcrl). Do not send it a password; ask whoever runs the server.";
    default:
      if (message.includes("does not support SSL"))
        return `sslmode=${config.ssl.mode} wants TLS, and the server has none (ssl = off). Switch it on there; sslmode=prefer goes on without, in clear text.`;
      if (code?.startsWith("ERR_SSL"))
        return "TLS was refused. Does the server want a client certificate (sslcert, sslkey), or one of another authority?";
      return `Check ${prefix}_HOST, _PORT, _USER, _PASSWORD and _NAME, or ${flag}.`;
  }
}
