/** GET /: what this API offers. */
export function readIndex() {
  return function handleIndex(_request, response) {
    response.json({
      name: 'snowboarding-backend-api',
      links: {
        health: '/health',
        analyses: '/api/analyses{?limit,before}',
        analysis: '/api/analyses/{id}',
        media: '/api/analyses/{id}/media',
        events: '/api/analyses/{id}/events',
      },
    });
  };
}
