// The same query as a protobuf service, described at run time: no generated code for one message.
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodUnary,
} from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'

const file = create(FileDescriptorProtoSchema, {
  name: 'bench.proto',
  package: 'bench',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Note',
      field: [
        {
          name: 'text',
          jsonName: 'text',
          number: 1,
          label: FieldDescriptorProto_Label.OPTIONAL,
          type: FieldDescriptorProto_Type.STRING,
        },
      ],
    },
  ],
  service: [
    {
      name: 'Notes',
      method: [{ name: 'Echo', inputType: '.bench.Note', outputType: '.bench.Note' }],
    },
  ],
})
const registry = createFileRegistry(file, () => undefined)
const method = registry.getService('bench.Notes')?.methods[0]
if (method === undefined || !isUnary(method)) throw new TypeError('bench.proto cannot be read')

/** The query, for servers that take a description. */
export const EchoMethod: DescMethodUnary = method

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary'
}
