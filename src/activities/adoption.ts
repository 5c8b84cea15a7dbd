/** Taking over what exists: only what says whose it is, beside the product and never in it. */
import type { Outcome } from '../model/operation';
import type { Authority, BalancerTarget, HostTarget } from '../model/targets';
import type { Clients } from './clients';
import { claimBalancer, ownThings } from './loadBalancer';
import { productOn } from './product';

export interface AdoptionActivities {
  /** The cluster's name and epoch in the login's home, as the guard of every effect writes them: from then on the host refuses other clusters and older operations. */
  ensureHostTaken(input: { host: HostTarget }, authority: Authority): Promise<Outcome>;
  /** The same on a balancer's host, for this cluster's key and backend alone; what it sends where stays as it is. */
  ensureBalancerTaken(input: { balancer: BalancerTarget }, authority: Authority): Promise<Outcome>;
}

export function adoptionActivities({ clients }: { clients: Clients }): AdoptionActivities {
  return {
    async ensureHostTaken({ host }, authority) {
      await productOn(clients, host).claim(authority);
      return { changed: true, note: `belongs to ${authority.cluster} from epoch ${authority.epoch} on` };
    },
    async ensureBalancerTaken({ balancer }, authority) {
      await claimBalancer(clients, balancer, authority);
      return { changed: true, note: `${ownThings(balancer).join(' and ')} belong to ${authority.cluster}` };
    },
  };
}
