// An OAuth client that is not ours: what it accepts from a server, any client by the standards accepts.
export * as oauth from 'oauth4webapi'
