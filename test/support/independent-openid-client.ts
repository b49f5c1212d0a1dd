// openid-client, unchanged: the client that most Node programs use.
export * as openid from 'openid-client'
