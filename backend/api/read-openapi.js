import { OPENAPI } from '../src/http/openapi.js';

/** GET /api/openapi.json: this API, for programs (OpenAPI 3.1). */
export function readOpenApi() {
  return function handleOpenApi(_request, response) {
    response.set('Cache-Control', 'no-cache').json(OPENAPI);
  };
}
