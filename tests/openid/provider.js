// A provider of OpenID Connect with the pages of its own development mode: any name signs in, by any password.
// node provider.js BACK…: prints its address; each BACK is an address that the one client may come back to.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const client = {
  client_id: 'xinheng',
  client_secret: 'a secret of the tests, and of nothing else',
  redirect_uris: process.argv.slice(2),
}
const server = createServer().listen(0, 'localhost', () => {
  const issuer = `http://localhost:${server.address().port}`
  const provider = new Provider(issuer, { clients: [client] })
  server.on('request', provider.callback())
  console.log(issuer)
})
