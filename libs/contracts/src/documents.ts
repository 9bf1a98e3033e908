/** Documents of the public interface, apart from the main entry: nothing but a reader of them needs to load this. */
export { documentedRoutes } from './openapi/documented-routes.ts';
export { ownRefusalsOf, refusedAnywhere, routeTags, type DocumentedRoute } from './openapi/documented-route.ts';
export { openApiDocument } from './openapi/openapi-document.ts';
export { asyncApiDocument } from './asyncapi/asyncapi-document.ts';
export { clientMessages, serverMessages, streamMessages } from './asyncapi/messages.ts';
