// grpc-js on HTTP/2 without TLS, with the same protobuf service as Connect.
import { fromBinary, toBinary, type Message } from '@bufbuild/protobuf'
import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js'
import { endWithParent, readPort } from '../servers/settings.ts'
import { EchoMethod } from './echo-service.ts'

const echo: handleUnaryCall<Message, Message> = ({ request }, callback) => callback(null, request)
const server = new Server()
server.addService(
  {
    echo: {
      path: `/${EchoMethod.parent.typeName}/${EchoMethod.name}`,
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes: Buffer) => fromBinary(EchoMethod.input, bytes),
      requestSerialize: (note: Message) => Buffer.from(toBinary(EchoMethod.input, note)),
      responseDeserialize: (bytes: Buffer) => fromBinary(EchoMethod.output, bytes),
      responseSerialize: (note: Message) => Buffer.from(toBinary(EchoMethod.output, note)),
    },
  },
  { echo },
)
server.bindAsync(
  `127.0.0.1:${String(readPort())}`,
  ServerCredentials.createInsecure(),
  (failure) => {
    if (failure !== null) throw failure
  },
)
endWithParent()
