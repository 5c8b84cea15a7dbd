import { unique, type Suite } from './suite';

/** §11.1: network zones. */
export function zones(suite: Suite): void {
  const { call, get } = suite;
  const edge = (title: string, more: object = {}) => ({ title, addresses: ['192.0.2.1'], protocols: [{ streamingProtocol: 'SSH', port: 20022 }], ...more });
  const make = async (body: object = {}): Promise<string> => {
    const name = unique('zone');
    suite.undo(`/zones/${name}`);
    const { status, text } = await call('POST', '/zones', { body: { name, ...body } });
    if (status !== 201) throw new Error(`${status} ${text}`);
    return name;
  };
  const titles = async (name: string): Promise<string[]> => (await get(`/zones/${name}`)).edges.map(({ title }: { title: string }) => title);
  const patch = (name: string, ...body: object[]) => call('PATCH', `/zones/${name}`, { body });

  test('§11.1 only name is required of a zone; the deploymentSite of an edge is Prod when left out', async () => {
    expect((await get(`/zones/${await make()}`)).edges).toEqual([]);
    expect((await get(`/zones/${await make({ edges: [edge('a')] })}`)).edges[0].deploymentSite).toBe('Prod');
  });

  test('§11.1 a duplicate zone is 400 "The zone name is not unique.", and another case is another zone', async () => {
    const name = await make();
    const twice = await call('POST', '/zones', { body: { name } });
    expect([twice.status, twice.text]).toEqual([400, expect.stringContaining('The zone name is not unique.')]);
    suite.undo(`/zones/${name.toUpperCase()}`);
    expect((await call('GET', `/zones/${name.toUpperCase()}`)).status).toBe(404);
    expect((await call('POST', '/zones', { body: { name: name.toUpperCase() } })).status).toBe(201);
  });

  test.each([
    ...['/', '\\', ';', "'"].flatMap((mark) => [[`${mark} in a name`, { name: `a${mark}b` }], [`${mark} in an edge's title`, { edges: [edge(`a${mark}b`)] }]] as const),
    ['an unknown field', { colour: 'red' }],
    ['an edge without title', { edges: [{ addresses: ['192.0.2.1'] }] }],
    ['a port below 1024', { edges: [edge('a', { protocols: [{ streamingProtocol: 'SSH', port: 22 }] })] }],
    ['no name', { name: undefined }],
  ] as [string, object][])('§11.1 400 for a zone with %s', async (_, body) => {
    expect((await call('POST', '/zones', { body: { name: unique('zone'), ...body } })).status).toBe(400);
  });

  test('§11.1 PUT of a zone resets every field left out, except that a body without edges keeps the edges', async () => {
    const name = await make({ description: 'kept?', edges: [edge('a', { deploymentSite: 'DR' })] });
    expect((await call('PUT', `/zones/${name}`, { body: { name } })).status).toBe(204);
    const zone = await get(`/zones/${name}`);
    expect(zone.description ?? '').toBe('');
    expect(zone.edges.map(({ title, deploymentSite }: Record<string, string>) => [title, deploymentSite])).toEqual([['a', 'DR']]);
  });

  test('§11.1 "edges":[] in a PUT removes the edges', async () => {
    const name = await make({ edges: [edge('a')] });
    await call('PUT', `/zones/${name}`, { body: { name, edges: [] } });
    expect(await titles(name)).toEqual([]);
  });

  test('§11.1 a PUT with another name than the path\'s is 400, and a zone that is not there 404', async () => {
    const name = await make();
    expect((await call('PUT', `/zones/${name}`, { body: { name: `${name}x` } })).status).toBe(400);
    expect((await call('PUT', `/zones/${name}x`, { body: { name: `${name}x` } })).status).toBe(404);
  });

  test('§11.1 PATCH /edges/- adds an edge and /edges/N removes one', async () => {
    const name = await make({ edges: [edge('a')] });
    expect((await patch(name, { op: 'add', path: '/edges/-', value: edge('b') })).status).toBe(204);
    expect(await titles(name)).toEqual(['a', 'b']);
    expect((await patch(name, { op: 'remove', path: '/edges/0' })).status).toBe(204);
    expect(await titles(name)).toEqual(['b']);
  });

  test('§11.1 a PATCH of an unknown path is 400 "Missing field", an empty patch is 204', async () => {
    const name = await make();
    const unknown = await patch(name, { op: 'replace', path: '/colour', value: 'red' });
    expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('Missing field')]);
    expect((await patch(name)).status).toBe(204);
  });

  test('§11.1 a proxy\'s password is never told; changing its edge\'s title makes the edge a new one and loses the password', async () => {
    const name = await make({ edges: [edge('a', { proxies: [{ host: '192.0.2.1', port: 1080, password: 'secret' }] })] });
    const proxy = async () => (await get(`/zones/${name}`)).edges[0].proxies[0];
    expect(await proxy()).toMatchObject({ isUsePassword: true });
    expect(await proxy()).not.toHaveProperty('password');
    const { edges } = await get(`/zones/${name}`);
    await call('PUT', `/zones/${name}`, { body: { name, edges } });
    expect(await proxy()).toMatchObject({ isUsePassword: true });
    expect((await patch(name, { op: 'replace', path: '/edges/0/title', value: 'b' })).status).toBe(204);
    expect(await proxy()).toMatchObject({ isUsePassword: false });
  });

  test('§11.1 one zone is the default: making another the default turns the first off', async () => {
    const before = (await get('/zones')).result.find(({ isDefault }: { isDefault: boolean }) => isDefault)?.name as string | undefined;
    const defaults = async () => (await get('/zones')).result.filter(({ isDefault }: { isDefault: boolean }) => isDefault).map(({ name }: { name: string }) => name);
    try {
      const first = await make({ isDefault: true });
      expect(await defaults()).toEqual([first]);
      const second = await make();
      await patch(second, { op: 'replace', path: '/isDefault', value: true });
      expect(await defaults()).toEqual([second]);
    } finally {
      if (before !== undefined) await patch(encodeURIComponent(before), { op: 'replace', path: '/isDefault', value: true });
    }
  });

  test('§11.1 a zone that a business unit names cannot be deleted: 500', async () => {
    const [zone, unit] = [await make(), unique('unit')];
    suite.undo(`/businessUnits/${unit}`);
    expect((await call('POST', '/businessUnits', { body: { name: unit, baseFolder: `${suite.target().homes}/${unit}`, dmz: zone } })).status).toBe(201);
    expect((await call('DELETE', `/zones/${zone}`)).status).toBe(500);
    expect((await get(`/zones/${zone}`)).name).toBe(zone);
    await call('DELETE', `/businessUnits/${unit}`);
    expect((await call('DELETE', `/zones/${zone}`)).status).toBe(204);
  });

  test('§11.1 a zone that is not there: GET is a JSON 404, DELETE 404', async () => {
    const { status, json } = await call('GET', '/zones/none-of-that-name');
    expect([status, typeof json]).toEqual([404, 'object']);
    expect((await call('DELETE', '/zones/none-of-that-name')).status).toBe(404);
  });
}
