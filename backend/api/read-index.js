/** GET /: what this API offers. */
export function readIndex() {
  return function handleIndex(_request, response) {
    response.json({
      name: 'snowboarding-backend-api',
      links: {
        live: '/live',
        health: '/health',
        description: '/api/openapi.json',
        analyses: '/api/analyses{?limit,status,kind,q,sort}',
        analysis: '/api/analyses/{id}',
        media: '/api/analyses/{id}/media',
        thumbnail: '/api/analyses/{id}/thumbnail',
        frames: '/api/analyses/{id}/frames{?from,limit,fields}',
        export: '/api/analyses/{id}/export{?format}',
        events: '/api/analyses/{id}/events',
      },
    });
  };
}
